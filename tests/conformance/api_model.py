"""CodeDeploy's model as botocore reads it, made from the repository's own condensed copy.

The copy is the one that the server's wire types are generated from; the rules below are written anew, from the API
reference, so that a mistake in the generator does not go unseen here.
"""

import functools
import json

import botocore.model

import longshore

MODEL = longshore.REPOSITORY / "crates/wire/models/codedeploy.json"


@functools.cache
def service():
    """botocore's view of the model."""
    condensed = json.loads(MODEL.read_text())
    operations = {name: _expanded(operation) for name, operation in condensed["operations"].items()}
    return botocore.model.ServiceModel({**condensed, "operations": operations}, "codedeploy")


def _expanded(operation):
    """The model names shapes where botocore wants references."""
    shapes = {key: {"shape": operation[key]} for key in ("input", "output") if key in operation}
    return {**operation, **shapes, "errors": [{"shape": name} for name in operation["errors"]]}


@functools.cache
def operations():
    """The names of all operations, sorted."""
    return tuple(sorted(service().operation_names))


@functools.cache
def declared_errors(operation):
    """The names of the errors that an operation declares, in the model's order."""
    return tuple(shape.name for shape in service().operation_model(operation).error_shapes)


def input_shape(operation):
    return service().operation_model(operation).input_shape


def output_shape(operation):
    """None for an operation without output."""
    return service().operation_model(operation).output_shape


def members(shape, path=()):
    """Every member of an input at any depth: (path, shape). `*` in a path is an element of a list, or a map's value."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield (*path, name), member
            yield from members(member, (*path, name))
    elif shape.type_name == "list":
        yield (*path, "*"), shape.member
        yield from members(shape.member, (*path, "*"))
    elif shape.type_name == "map":
        yield (*path, "*"), shape.value
        yield from members(shape.value, (*path, "*"))
