"""The LMA's rules, fed with datagrams and a clock that stands still."""
