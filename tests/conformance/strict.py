"""Holds an answer to its output shape: no unknown member, every type right, every time a number."""

NUMBERS = {"integer", "long", "float", "double"}


def faults(shape, value, place="answer"):
    """What in a JSON value the shape does not permit, one sentence each."""
    if shape is None:
        return [] if value in (None, {}) else [f"{place}: the operation has no output, yet there is {value!r}"]
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, value, place)
    if kind == "list":
        if not isinstance(value, list):
            return [f"{place}: {value!r} is no list"]
        return [fault for at, item in enumerate(value) for fault in faults(shape.member, item, f"{place}[{at}]")]
    if kind == "map":
        if not isinstance(value, dict):
            return [f"{place}: {value!r} is no map"]
        return [fault for key, item in value.items() for fault in faults(shape.value, item, f"{place}.{key}")]
    return _scalar(shape, value, place)


def _structure(shape, value, place):
    if not isinstance(value, dict):
        return [f"{place}: {value!r} is no structure"]
    found = []
    for name, item in value.items():
        if name not in shape.members:
            found.append(f"{place}: the member {name} is not in {shape.name}")
        elif item is None:
            found.append(f"{place}.{name}: null; what is absent is left out")
        else:
            found += faults(shape.members[name], item, f"{place}.{name}")
    return found + [f"{place}: the required member {name} is missing"
                    for name in shape.required_members if name not in value]


def _scalar(shape, value, place):
    kind = shape.type_name
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "timestamp": is_number and value >= 0,
        "integer": is_number and isinstance(value, int),
        "long": is_number and isinstance(value, int),
        "float": is_number,
        "double": is_number,
    }[kind]
    if not fits:
        return [f"{place}: {value!r} is no {kind}"]
    permitted = getattr(shape, "enum", None)
    if permitted and value not in permitted and (shape.name, value) not in BEYOND_THE_MODEL:
        return [f"{place}: {value!r} is not one of {permitted}"]
    return []


# The service itself answers these although its model does not have them. Source: the API's documented example of
# GetDeploymentConfig for CodeDeployDefault.OneAtATime.
BEYOND_THE_MODEL = {("MinimumHealthyHostsType", "MOST_CONCURRENCY")}
