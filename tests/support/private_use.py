"""Where a file touches private parts of a library: names that begin with one underscore."""

import ast
import pkgutil
import re

PRIVATE_NAME = re.compile(r"_[^_]")


def private_uses(path, library):
    """Return the lines on which a file touches a private part of the library."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names, module = names_of(tree, library), private_module(library)
    nodes = list(ast.walk(tree))
    return sorted({node.lineno for node in nodes if is_private_use(node, names, module)} |
                  {line for node in nodes if isinstance(node, ast.ClassDef)
                   for line in overrides(node, names)})  # fmt: skip


def private_module(library):
    """Return the pattern of a dotted name with a private part."""
    return re.compile(rf"\b{library}(\.\w+)*\._[^_]")


def names_of(tree, library):
    """Return what the file's own names for the library's things mean."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                if each.name.split(".")[0] == library:
                    found[each.asname or library] = each.name if each.asname else library
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == library:
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return found


def is_private_use(node, names, private):
    match node:
        case ast.Import(names=aliases):
            return any(private.match(each.name) for each in aliases)
        case ast.ImportFrom(module=str(module), names=aliases):
            return any(private.match(f"{module}.{each.name}") for each in aliases)
        case ast.Attribute(attr=attr):
            return bool(PRIVATE_NAME.match(attr)) and dotted(node).split(".")[0] in names
        case ast.Call(func=func, keywords=keywords) if dotted(func).split(".")[0] in names:
            return any(PRIVATE_NAME.match(each.arg or "") for each in keywords)
        case ast.Constant(value=str(text)):
            return bool(private.search(text))
        case _:
            return False


def overrides(node, names):
    """Yield the lines of methods that replace private ones of a base class of the library."""
    for base in map(dotted, node.bases):
        first, _, rest = base.partition(".")
        if first in names:
            known = dir(pkgutil.resolve_name(f"{names[first]}.{rest}".rstrip(".")))
            for each in node.body:
                is_private = isinstance(each, ast.FunctionDef) and PRIVATE_NAME.match(each.name)
                if is_private and each.name in known:
                    yield each.lineno


def dotted(node):
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{dotted(value)}.{attr}"
        case _:
            return ""
