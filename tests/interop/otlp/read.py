"""Reads one request of OTLP/HTTP in JSON with OpenTelemetry's own types, and tells what they make of it.

Standard input has the body. A field that the types do not have, or one of another type, is an error. What is told is
what is left after the way through their binary form: a JSON object of the resource's attributes and the spans.
"""

import base64
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}


def in_base64(value):
    """OTLP has ids in hexadecimal digits, where JSON of protobuf has bytes in base64."""
    if isinstance(value, list):
        return [in_base64(item) for item in value]
    if not isinstance(value, dict):
        return value
    fields = {}
    for name, item in value.items():
        if name in IDS:
            raw = bytes.fromhex(item)
            assert len(raw) == IDS[name] and item == raw.hex(), (name, item)
            item = base64.b64encode(raw).decode()
        fields[name] = in_base64(item)
    return fields


def attributes(of):
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in of}


body = in_base64(json.load(sys.stdin))
read = json_format.ParseDict(body, ExportTraceServiceRequest(), ignore_unknown_fields=False)
request = ExportTraceServiceRequest.FromString(read.SerializeToString())
[resource] = request.resource_spans
[scope] = resource.scope_spans
spans = [
    {
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind),
        "trace": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "flags": span.flags,
        "start": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "attributes": attributes(span.attributes),
        "status": Status.StatusCode.Name(span.status.code),
        "message": span.status.message,
    }
    for span in scope.spans
]
json.dump({"resource": attributes(resource.resource.attributes), "scope": scope.scope.name, "spans": spans}, sys.stdout)
