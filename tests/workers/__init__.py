"""An LMA of several workers as a whole, on one fake clock: pipes and disks that take their time, and kills."""
