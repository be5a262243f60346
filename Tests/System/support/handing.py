"""Readers that hand their descriptors to one another."""

import contextlib
import socket

from reading import Reader


class Holder(Reader):
    """A Reader that can besides

    - `give` and `take` a descriptor, and list `entries` of a folder through one, as many as fit into so many bytes;
    - read a path `whole`, or `mapped` privately, and `hold` such a mapping of it, all its pages touched;
    - `become` another user for good.
    """

    MORE = """
import ctypes, mmap, socket, struct
kept = []
def give(handle):
    socket.send_fds(peer, [b"x"], [handle])
def take():
    return socket.recv_fds(peer, 1, 1)[1][0]
def entries(handle, size=32768):
    room = ctypes.create_string_buffer(size)
    libc = ctypes.CDLL(None, use_errno=True)
    got = libc.getdents64(handle, room, ctypes.c_size_t(size))
    if got < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    names, at = [], 0
    while at < got:
        length, = struct.unpack_from("=H", room, at + 16)
        names.append(room.raw[at + 19 : at + length].split(b"\\0")[0].decode())
        at += length
    return names
def whole(path):
    with open(path, "rb", buffering=0) as file:
        return file.read()
def mapped(path):
    with open(path, "rb", buffering=0) as file:
        return mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ)[:]
def hold(path):
    with open(path, "rb", buffering=0) as file:
        kept.append(mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ))
    return len(kept[-1][:])
def become(uid):
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
calls |= {call.__name__: call for call in (give, take, entries, whole, mapped, hold, become)}
if len(sys.argv) > 1:
    peer = socket.socket(fileno=int(sys.argv[1]))
"""

    def __init__(self, under=(), peer=None):
        """PEER is a socket to the other one."""
        ends = [] if peer is None else [peer.fileno()]
        super().__init__(under=under, arguments=map(str, ends), pass_fds=ends)

    def hand(self, handle, other):
        """The descriptor by which OTHER has this one's HANDLE from now on."""
        self.call("give", handle)
        return other.call("take")


@contextlib.contextmanager
def holders(giver, taker):
    """Two that are connected, under these credentials."""
    ends = socket.socketpair()
    try:
        with Holder(giver, ends[0]) as one, Holder(taker, ends[1]) as other:
            yield one, other
    finally:
        for end in ends:
            end.close()
