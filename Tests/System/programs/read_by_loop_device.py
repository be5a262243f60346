"""read_by_loop_device.py PATH DEVICE UID: the first bytes of a file that UID opens, as a loop device reads them; prints hex or an error."""

import errno
import fcntl
import os
import sys

LOOP_SET_FD, LOOP_CLR_FD = 0x4C00, 0x4C01

path, device, uid = sys.argv[1], os.open(sys.argv[2], os.O_RDONLY), int(sys.argv[3])
os.setegid(uid)
os.seteuid(uid)
handle = os.open(path, os.O_RDONLY)
os.seteuid(0)
os.setegid(0)
fcntl.ioctl(device, LOOP_SET_FD, handle)
try:
    print(repr(os.read(device, 8192).hex()))
except OSError as error:
    print(repr(errno.errorcode[error.errno]))
finally:
    fcntl.ioctl(device, LOOP_CLR_FD)
