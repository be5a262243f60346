"""Readers that hand their descriptors to one another."""

import contextlib
import socket

from reading import Reader


class Holder(Reader):
    """A Reader that can `give` and `take` a descriptor."""

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
