"""The oracle in C: what is true of a large mapping, compared row by row in a second where Python would take a minute."""

from comparing import ATTEMPTS, agree, in_flags
from formats import FlagsRow, flags
from reading import read
from running import Target, compiled
from truth import PAGE
from truth_tables import BLIND, HIDDEN, SEEN

VIEWS = {SEEN: [], HIDDEN: ["hidden"], BLIND: ["blind"]}


class Oracle:
    """Knows the pages of one range of a process, as root or as a reader with another VIEW must be told of them."""

    def __init__(self, workspace, pid, span, view=SEEN):
        self.target = Target([compiled("oracle", workspace), str(pid), span, *VIEWS[view]])

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.target.close()

    def entries(self):
        """How many pages have an entry now."""
        return int(self.target.tell("look").removeprefix("entries="))

    def rows(self, kind, path, make=None):
        """The number of rows of a table at PATH, `pages` or `ranges`, once each of them has been found to be true.

        MAKE() writes the table there, for a reader who is somebody else. Pages are moved now and then, so a comparison that
        fails by a column is repeated, as in `agree`; one that fails by a row that is missing is not.
        """
        for _ in range(ATTEMPTS):
            self.entries()
            if make:
                make()
            said = self.target.tell(f"{kind} {path}", 60)
            if said.startswith("rows="):
                return int(said.removeprefix("rows="))
            if not any(words in said for words in ("in column", "are one", "moved")):
                break
        raise AssertionError(f"{path}: {said}")

    def flags(self):
        """The rows of the table of flags."""
        words = iter(self.target.tell("flags").split())
        rows = [FlagsRow(int(count), int(count) * PAGE // 1024, word, next(words)) for count, word in zip(words, words)]
        return sorted(rows, key=lambda row: (-row.pages, row.word, row.names))

    def check_flags(self, path, **reader):
        agree(lambda: flags(read(path, **reader)), self.flags, in_flags)
