"""Names of families: two that a `linked` row calls one (docs/ledger-spec.md, "Names")."""


class Names:
    def __init__(self):
        self.aliases, self.units, self.drawn = {}, {}, {}  # drawn: family -> its place among the drawn

    def of(self, name):
        """What a name means now: itself, or the family of which it is another name."""
        while name in self.aliases:
            name = self.aliases[name]
        return name

    def unit(self, name):
        """The family that a name's family was found to be: of two draws the earlier one."""
        name = self.of(name)
        while name in self.units:
            name = self.units[name]
        return name

    def draw(self, family):
        self.drawn.setdefault(family, len(self.drawn))

    def link(self, payload):
        """A `linked` row; without its payload, or between pseudonyms of a child, no name changes. Gives the unit and the
        family that was found to be it, or None."""
        if not payload or "other" not in payload:
            return None
        one, two = self.unit(payload["family"]), self.unit(payload["other"])
        if one == two:
            return None
        first, later = sorted((one, two), key=lambda name: self.drawn.get(name, len(self.drawn)))
        (self.units if later in self.drawn else self.aliases)[later] = first
        return first, later
