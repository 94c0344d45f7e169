"""Every table extractor, for the contract. PAYLOADS are rows as ``reference_of`` writes them."""

PAYLOADS = [
    b'{"age":34.0,"sex":"f","visited":"2024-05-31T10:00:00.000+00:00","tracks":["a","b","a"]}',
    b'{"age":61.5,"sex":"m","tracks":[]}',
    b'{"sex":"f","visited":"1999-12-31T23:59:59.000+00:00","tracks":["c","b"]}',
    b'{"age":-1e300,"sex":"x"}',
    '{"age":7.0,"sex":"女","visited":"2024-02-29T00:00:00.000+00:00","tracks":["d"]}'.encode(),
]
SETTINGS = {
    "numbers": ["age"], "categories": ["sex"], "dates": ["visited"], "sequences": ["tracks"],
}  # fmt: skip
EXTRACTS = {
    "table_vector": {"kind": "table_vector", "max_categories": 4, "vocabulary": 5},
    "table_vector quantile": {"kind": "table_vector", "scale": "quantile", "weighting": "recent"},
    "table_vector none": {"kind": "table_vector", "scale": "none", "min_count": 1},
}
