"""What a schema in GraphQL has to be."""

from graphql import GraphQLError, GraphQLSyntaxError, Source, parse
from graphql.language import (
    DocumentNode,
    Node,
    ParallelVisitor,
    TypeSystemDefinitionNode,
    TypeSystemExtensionNode,
    visit,
)
from graphql.validation.rules.known_directives import KnownDirectivesRule
from graphql.validation.rules.possible_type_extensions import PossibleTypeExtensionsRule
from graphql.validation.specified_rules import specified_sdl_rules
from graphql.validation.validation_context import SDLValidationContext

from app.lines import shorten
from app.openapi.reading import MAX_MISTAKES, DocumentError

# Servers and gateways bring directives of their own, and subgraphs extend types of others.
_RULES = tuple(
    rule
    for rule in specified_sdl_rules
    if rule not in (KnownDirectivesRule, PossibleTypeExtensionsRule)
)


def parse_checked(text: str) -> DocumentNode:
    """A document that defines types.

    Raises
    ------
    DocumentError
        Raised with the first mistakes, each with its line and column.
    """
    try:
        document = parse(Source(text))
    except GraphQLSyntaxError as error:
        raise DocumentError([_explain(error)]) from error
    for node in document.definitions:
        if not isinstance(node, TypeSystemDefinitionNode | TypeSystemExtensionNode):
            raise DocumentError([_refuse_executable(node)])
    _judge(document)
    return document


def _judge(document: DocumentNode) -> None:
    """Ends at the last mistake that is shown: for each, all names are searched for similar ones."""
    mistakes: list[str] = []

    def note(error: GraphQLError) -> None:
        mistakes.append(_explain(error))
        if len(mistakes) == MAX_MISTAKES:
            raise DocumentError(mistakes)

    context = SDLValidationContext(document, None, note)
    visit(document, ParallelVisitor([rule(context) for rule in _RULES]))
    if mistakes:
        raise DocumentError(mistakes)


def _explain(error: GraphQLError) -> str:
    places = error.locations or []
    where = f"line {places[0].line}, column {places[0].column}: " if places else ""
    said = error.message.removeprefix("Syntax Error: ")
    return f"{where}should be GraphQL (got: {shorten(said, 300)})"


def _refuse_executable(node: Node) -> str:
    place = node.loc.start_token if node.loc else None
    where = f"line {place.line}, column {place.column}: " if place else ""
    kind = node.kind.removesuffix("_definition")
    return f"{where}should define types, as a server has them (got: {kind})"
