"""A table of rows that a test looks at, and may read again."""

from mmray.data.table.table import RawTable, open_table


class ReadTable(RawTable):
    """All rows of a table."""

    def __init__(self, table):
        chunks = list(table.chunks())
        self.rows = [row for chunk in chunks for row in chunk.rows]
        self.locations = [location for chunk in chunks for location in chunk.locations]
        super().__init__(table.uri, table.folder, (), table.layout)
        self._columns = dict.fromkeys(table.columns())

    def chunks(self, *size):
        """Yield all rows, however often."""
        self._rows = zip(self.locations, self.rows, strict=True)
        return super().chunks(*size)


def read_table(uri, **settings):
    """Read all rows of what ``open_table`` opens."""
    return ReadTable(open_table(uri, **settings))
