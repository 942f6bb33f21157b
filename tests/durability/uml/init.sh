#!/bin/sh
# The first process of the guest: an LMA whose journal is on the guest's own disk, /dev/ubda. Everything else is the
# host's file system. The kernel's command line names a directory of the host (durability=...), with scripts.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /lib/modules
mount -t devtmpfs devtmpfs /dev
mkdir -p /run/disk /dev/net "/lib/modules/$(uname -r)"
mount --bind "/usr/lib/uml/modules/$(uname -r)" "/lib/modules/$(uname -r)"
busybox modprobe tun
mount -t ext4 /dev/ubda /run/disk || exit 1

here=$(sed -n 's/.*durability=\([^ ]*\).*/\1/p' /proc/cmdline)
lma=$(sed -n 's/.*lma=\([^ ]*\).*/\1/p' /proc/cmdline)
mags=$(sed -n 's/.*mags=\([^ ]*\).*/\1/p' /proc/cmdline)

# On a busy host the guest has missed ticks while it started, and its clock is late, by which lifetimes go on after a
# restart. A file that the host makes has the host's time.
date -s "@$(stat -c %.9Y "$(mktemp "$here/clock.XXXXXX")")"

ip link set lo up
ip address add "$lma/32" dev vec0
ip link set vec0 up
ip route add "$mags" dev vec0 src "$lma"

# Who connects is shown the bindings, or what is to be said about the journal.
busybox nc -ll -p 4000 -e "$here/show" &
busybox nc -ll -p 4001 -e "$here/check" &
"$here/run"
echo "the LMA has ended: $?"
busybox poweroff -f
