"""docs/compatibility.md is complete, true and current."""

import api_model
import compatibility


def test_every_declared_error_is_provoked_or_its_absence_explained():
    unexplained = {(operation, error) for operation, errors in compatibility.unproduced().items()
                   for error in errors if not compatibility.reason(operation, error)}
    assert not unexplained


def test_no_reason_is_given_for_what_is_produced():
    never = {name for operation, errors in compatibility.unproduced().items()
             for error in errors for name in (error, f"{operation} {error}")}
    assert set(compatibility.reasons()) <= never


def test_a_test_provokes_no_error_that_is_not_declared():
    """But those that every operation has."""
    everywhere = {"SerializationException", "ValidationException"}
    for operation, errors in compatibility.exercised().items():
        assert errors - everywhere <= set(api_model.declared_errors(operation)), operation


def test_the_document_is_current(pytestconfig):
    if pytestconfig.getoption("update"):
        compatibility.DOCUMENT.write_text(compatibility.document())
    assert compatibility.DOCUMENT.read_text() == compatibility.document(), "run pytest conformance --update"
