"""GraphQL by a real engine: documents are parsed, checked against our schema and executed.

Nothing looks at operation names, so older and newer clients, which word their documents differently or
inspect the schema first, are all served. Parsed documents are kept: clients repeat the same few.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from importlib import resources
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute,
    parse,
    validate,
)
from msgspec import Struct

from controller.client.door import ClientError
from controller.domain.printable import printable
from controller.wandb_api.faults import FaultError

log = logging.getLogger(__name__)

MAX_TOKENS = 4000
"""The longest document of a client has about 400."""
MAX_KEPT = 256
"""Parsed documents."""


class Request(Struct, frozen=True, kw_only=True):
    """What a client posted."""

    query: str
    variables: dict[str, Any]
    operation: str | None


class Answer(Struct, frozen=True, kw_only=True):
    """What it gets: an HTTP status and a JSON body."""

    status: int
    body: dict[str, Any]


def load_schema() -> GraphQLSchema:
    """Return our schema."""
    text = resources.files("controller.wandb_api").joinpath("schema.graphql").read_text("utf-8")
    return build_schema(text)


def read_request(body: Any) -> Request:
    """Take a posted body apart.

    Raises:
        FaultError: it is no GraphQL request.
    """
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise FaultError(400, "the body is no GraphQL request: a JSON object with `query` is expected")
    variables, operation = body.get("variables"), body.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(operation, str | None):
        raise FaultError(400, "`variables` must be an object and `operationName` a string")
    return Request(query=body["query"], variables=variables or {}, operation=operation or None)


class Executor:
    """Answers requests with the resolvers it is given."""

    def __init__(self, schema: GraphQLSchema, root: Mapping[str, Any]) -> None:
        self._schema = schema
        self._root = root
        self._documents: OrderedDict[str, DocumentNode] = OrderedDict()

    async def answer(self, request: Request, context: Any) -> Answer:
        """Return the answer; resolvers may raise `FaultError`."""
        try:
            document = self._document(request.query)
        except GraphQLError as error:
            log.warning("GraphQL not served: %s in %s", printable(error.message), _name(request))
            return Answer(status=400, body={"errors": [{"message": error.message}]})
        running = execute(
            self._schema,
            document,
            root_value=self._root,
            context_value=context,
            variable_values=request.variables,
            operation_name=request.operation,
        )
        result = running if isinstance(running, ExecutionResult) else await running
        if not result.errors:
            return Answer(status=200, body={"data": result.data})
        return _refused(result.errors, request)

    def _document(self, text: str) -> DocumentNode:
        known = self._documents.get(text)
        if known is not None:
            self._documents.move_to_end(text)
            return known
        try:
            document = parse(text, no_location=True, max_tokens=MAX_TOKENS)
        except RecursionError as error:
            raise GraphQLError("the document is nested too deeply") from error
        errors = validate(self._schema, document, max_errors=5)
        if errors:
            raise errors[0]
        self._documents[text] = document
        if len(self._documents) > MAX_KEPT:
            self._documents.popitem(last=False)
        return document


def _refused(errors: list[GraphQLError], request: Request) -> Answer:
    status, messages = 400, []
    for error in errors:
        cause = error.original_error
        if isinstance(cause, FaultError):
            status = max(status, cause.status)
            messages.append(str(cause))
        elif isinstance(cause, ClientError):
            status = max(status, 503)
            messages.append(str(cause))
        elif cause is None or isinstance(cause, GraphQLError):
            messages.append(error.message)
        else:
            log.error("%s failed", _name(request), exc_info=cause)
            status = max(status, 500)
            messages.append("the controller failed on this request; its log has the details")
    log.warning("%s refused (%d): %s", _name(request), status, printable(messages[0]))
    return Answer(status=status, body={"errors": [{"message": message} for message in messages]})


def _name(request: Request) -> str:
    if request.operation:
        return request.operation[:80] if request.operation.isprintable() else "an unprintable name"
    try:
        document = parse(request.query, no_location=True, max_tokens=MAX_TOKENS)
    except (GraphQLError, RecursionError):
        return "an unnamed request"
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and node.name is not None:
            return node.name.value[:80]
    return "an unnamed request"
