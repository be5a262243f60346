#!/bin/sh
# Runs $PAGEFS with these arguments as the first process of a pid namespace; its mount shows outside, its /proc does not.
exec unshare --pid --mount --propagation unchanged --fork --kill-child=TERM sh -c '
mount --make-private /proc && mount -t proc proc /proc && exec "$PAGEFS" "$@"' sh "$@"
