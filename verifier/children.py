"""Which family a child is of (docs/ledger-spec.md, "What a checker does", 7). Used by families.py beside it."""


class Children:
    def __init__(self):
        self.owners = {}  # child: the family of the last row that named it, and the number of that row
        self.meant = {}  # other pseudonyms of a child
        self.drawn = {}  # family: the number of the row that allocated it
        self.lost = []  # erased rows that could have named children

    def __contains__(self, name):
        return self.of(name) in self.owners

    def of(self, name):
        return self.meant.get(name, name)

    def name(self, name, family, sequence):
        self.owners[self.of(name)] = family, sequence

    def link(self, child, other, family, sequence):
        """Two pseudonyms mean one child. One that was never named is of the family that the row names."""
        child = self.of(child)
        self.owners.setdefault(child, (family, sequence))
        if other != child:
            self.owners.pop(other, None)
            self.meant[other] = child

    def elsewhere(self, name, names):
        """The drawn family that a child is surely of, or None: once its family is drawn it stays there, before that an erased row
        may have moved it."""
        family, named = self.owners.get(self.of(name), (None, 0))
        unit = names.unit(family)
        if family is None or unit not in names.drawn:
            return None
        linked = any(unit == meant for pairs in (names.aliases, names.units) for meant in pairs.values())
        settled = float("inf") if linked else self.drawn.get(unit, 0)
        return None if any(named <= lost < settled for lost in self.lost) else unit
