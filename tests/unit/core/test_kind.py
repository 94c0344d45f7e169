from mmray.core.kind import Kind, axis_order


def test_modalities_are_ordered_by_kind_then_by_name():
    kinds = {"z": Kind.TEXT, "table": Kind.TABLE, "b": Kind.IMAGE, "a": Kind.IMAGE, "c": Kind.AUDIO}

    assert axis_order(kinds) == ("z", "a", "b", "c", "table")
