"""Merges the service's document and the shared components; and makes the document as it is served."""

import re

from compiler.values import Fault, Gap, below, dump, parse, walk

PARTS = ("paths", "components")  # what the shared file completes
METHODS = ("get", "post", "put", "patch", "delete")
# Members that are text, wherever they are.
TEXTS = ("description", "summary", "title")
# The shared schemas that the currency completes when a worker starts.
MONEY = {"#/components/schemas/Price": "price", "#/components/schemas/Amount": "amount"}
REFERENCES_MAX = 8  # a $ref may lead to a $ref; further than this it goes in circles


def _parts(root, path):
    """The paths and components of a file; Fault if it, or one of these sections, is not an object."""
    parts = [root.setdefault(name, {}) if isinstance(root, dict) else None for name in PARTS]
    if not all(isinstance(part, dict) for part in parts):
        raise Fault(f"{path}#: paths and components must be objects")
    for name, section in parts[1].items():
        if not isinstance(section, dict):
            raise Fault(f"{path}{below('#/components', name)}: must be an object")
    return parts


class Document:
    """A service's document, completed with the shared components."""

    def __init__(self, path, text, shared_path, shared_text):
        self.path = path
        self.shared_path = shared_path
        self.shared = set()  # pointers of what came from the shared components
        self.root = parse(path, text)
        shared = parse(shared_path, shared_text)
        version = self.root.get("openapi") if isinstance(self.root, dict) else None
        if not isinstance(version, str) or not re.fullmatch(r"3\.1\.[0-9]+", version):
            self.refuse("#/openapi", "must be 3.1.x")
        self._merge(shared)
        self._complete()

    def refuse(self, where, reason):
        shared = any(where == part or where.startswith(part + "/") for part in self.shared)
        raise Fault(f"{self.shared_path if shared else self.path}{where}: {reason}")

    # ---- making one of two

    def _merge_missing(self, target, source, where):
        for name, value in source.items():
            if name not in target:
                target[name] = value
                self.shared.add(below(where, name))

    def _merge(self, shared):
        paths, components = _parts(self.root, self.path)
        shared_paths, shared_components = _parts(shared, self.shared_path)
        self._merge_missing(paths, shared_paths, "#/paths")
        for name, section in shared_components.items():
            own = components.setdefault(name, {})
            self._merge_missing(own, section, below("#/components", name))

    def _complete(self):
        info = self.root.get("info")
        if not isinstance(info, dict):
            self.refuse("#", "info must be an object")
        info.setdefault("version", Gap("VERSION"))
        # "." is the folder that the document is served from: right under any prefix.
        self.root.setdefault("servers", [{"url": Gap("SERVER")}])

    def money(self, where):
        """ "price" or "amount" where the currency completes this schema; else None."""
        return MONEY.get(where) if where in self.shared else None

    # ---- reading

    def members(self, value, allowed, where):
        """Refuses a value that is not an object or has other members, such as a misspelt x-internal."""
        if not isinstance(value, dict):
            self.refuse(where, "must be an object")
        for name in value:
            if name not in allowed:
                self.refuse(where, f'"{name}" is not supported')
        self.texts(value, TEXTS, where)

    def texts(self, value, names, where):
        """Refuses members with these names that are not strings."""
        for name in names:
            if not isinstance(value.get(name, ""), str):
                self.refuse(where, f"{name} must be a string")

    def flag(self, value, name, where):
        flag = value.get(name, False)
        if not isinstance(flag, bool):
            self.refuse(where, f"{name} must be true or false")
        return flag

    def strings(self, value, name, where):
        strings = value.get(name, [])
        if not isinstance(strings, list):
            self.refuse(where, f"{name} must be a list")
        if not all(isinstance(string, str) for string in strings):
            self.refuse(where, f"{name} must be strings")
        return strings

    def find(self, reference):
        """The target of a local reference, or None."""
        if not isinstance(reference, str) or not re.fullmatch(r"#(/([^~%/]|~[01])*)*", reference):
            return None
        value = self.root
        for segment in reference.split("/")[1:]:
            name = segment.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and re.fullmatch("0|[1-9][0-9]*", name):
                value = value[int(name)] if int(name) < len(value) else None
            else:
                value = value.get(name) if isinstance(value, dict) else None
        return value

    def target(self, reference, where):
        """The target of a local reference."""
        value = self.find(reference)
        if value is None:
            self.refuse(where, f"$ref {dump(reference)} leads nowhere")
        return value

    def resolve(self, value, where):
        """Follows $refs, which may have only summary and description beside them."""
        for _ in range(REFERENCES_MAX):
            if not isinstance(value, dict) or "$ref" not in value:
                return value
            self.members(value, ("$ref", "summary", "description"), where)
            value = self.target(value["$ref"], where)
        return self.refuse(where, "$ref goes in circles")

    # ---- serving

    def served(self, internal):
        """The text for clients, with gaps: [text, gap, text, gap, …, text]."""
        paths = self.root["paths"] if internal else _public(self.root["paths"])
        served = dict(self.root, paths=paths, components=self._used_components(paths))
        if "tags" in self.root:
            names = _used_tags(paths)
            served["tags"] = [tag for tag in self.root["tags"] if tag["name"] in names]
        return dump(served).split("\0")

    def _used_components(self, paths):
        used = {below("#/components/securitySchemes", name) for name in _used_schemes(paths)}
        self._mark(paths, used)
        result = {}
        for name, section in self.root["components"].items():
            kept = {
                key: self._as_served(value, below("#/components", name, key))
                for key, value in section.items()
                if below("#/components", name, key) in used
            }
            if kept:
                result[name] = kept
        return result

    def _mark(self, value, used):
        """Adds the components that a value refers to, and those that they use."""
        for _, part in walk(value):
            reference = part.get("$ref") if isinstance(part, dict) else None
            component = "/".join(str(reference).split("/")[:4])
            if component.startswith("#/components/") and component not in used:
                used.add(component)
                self._mark(self.find(component), used)

    def _as_served(self, value, where):
        kind = self.money(where)
        if kind == "price":
            value = dict(value, maximum=Gap("PRICE_MAXIMUM"))
        return dict(value, **{"x-decimals": Gap("DECIMALS")}) if kind else value


def _public(paths):
    """The paths without internal operations."""
    result = {}
    for path, item in paths.items():
        kept = {
            name: member
            for name, member in item.items()
            if not (name in METHODS and member.get("x-internal"))
        }
        if any(method in kept for method in METHODS):
            result[path] = kept
    return result


def _operations(paths):
    return (item[method] for item in paths.values() for method in METHODS if method in item)


def _used_tags(paths):
    return {tag for operation in _operations(paths) for tag in operation.get("tags", ())}


def _used_schemes(paths):
    alternatives = (one for operation in _operations(paths) for one in operation["security"])
    return {name for alternative in alternatives for name in alternative}
