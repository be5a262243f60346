# PAGEFS POINT ARGUMENT...: mount(8) with these arguments mounts on POINT, in a mount namespace where PAGEFS is installed.
# Prints the size of the README, and source, type and options of the mount.
set -e
mount -t tmpfs none /usr/local/bin
ln -s "$0" /usr/local/bin/pagefs
point=$1
shift
mount "$@"
stat -c %s "$point/README"
findmnt -n -o SOURCE,FSTYPE,OPTIONS "$point"
umount "$point"
