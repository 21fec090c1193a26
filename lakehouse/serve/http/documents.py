"""What there is to ask for, as a page that needs no network: from the OpenAPI description."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import Environment

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ api.info.title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c2430; background: #fff }
h2 { margin: 2.5rem 0 .25rem; font-size: 1.1rem }
code, pre { font: 14px/1.45 ui-monospace, monospace }
pre { background: #f3f5f8; padding: .75rem; overflow-x: auto }
.verb { display: inline-block; min-width: 3.2rem; padding: 0 .4rem; border-radius: 3px;
  background: #1d4f91; color: #fff; text-align: center }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid #dde2e9 }
@media (prefers-color-scheme: dark) {
  body { color: #dfe5ee; background: #12161d } pre { background: #1c222c }
  td, th { border-color: #303846 } a { color: #8db8f5 } }
</style></head><body>
<h1>{{ api.info.title }}</h1><p>{{ api.info.description }}</p>
<p>A token, where there are any: <code>Authorization: Bearer lh_…</code>. Refusals have one shape:
<code>{"status": …, "error": …, "reason": …}</code>. The description itself:
<a href="openapi.json">openapi.json</a>.</p>
{% for o in operations %}
<h2><span class="verb">{{ o.verb }}</span> <code>{{ o.path }}</code></h2>
<p>{{ o.about.description or o.about.summary }}</p>
{% if o.about.parameters %}<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>
{% for p in o.about.parameters %}<tr><td><code>{{ p.name }}</code></td><td>{{ p.in }}</td>
<td>{{ kind(p.schema) }}</td><td>{{ p.description or "" }}</td></tr>{% endfor %}</table>{% endif %}
{% for name, body in (o.about.requestBody or {}).get("content", {}).items() %}
<details><summary>Body as <code>{{ name }}</code></summary><pre>{{ shown(body.schema) }}</pre>
</details>{% endfor %}
<table><tr><th>Answer</th><th></th><th></th></tr>
{% for status, a in o.about.responses.items() %}<tr><td>{{ status }}</td>
<td>{{ a.description }}</td><td>{{ (a.content or {}) | join(", ") }}</td></tr>{% endfor %}</table>
<pre>{{ o.call }}</pre>
{% endfor %}
</body></html>"""


def page(api: Mapping[str, Any]) -> str:
    """HTML of an OpenAPI description: no script, nothing from elsewhere."""
    made = Environment(autoescape=True).from_string(_PAGE)
    return made.render(api=api, operations=list(_operations(api)), kind=_kind, shown=_shown)


def _operations(api: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, verbs in api["paths"].items():
        for verb, about in verbs.items():
            yield {"path": path, "verb": verb.upper(), "about": about, "call": _call(verb, path)}


def _call(verb: str, path: str) -> str:
    """How it is asked for by hand."""
    address = f"http://127.0.0.1:8000{path.replace('{topic}', 'clickstream')}"
    if verb == "get":
        return f"curl '{address}'"
    body = '{"user_id": "A00000001", "event_type": "game_start"}'
    return f"curl '{address}' -H 'Content-Type: application/json' -d '{body}'"


def _kind(schema: Mapping[str, Any]) -> str:
    found = schema.get("anyOf", [schema])
    named = " or ".join(s.get("type", "any") for s in found if s.get("type") != "null")
    bounds = [f"{sign} {schema[n]}" for n, sign in _SIGNS.items() if n in schema]
    allowed = " ".join(schema.get("enum", ()))
    return ", ".join([allowed or named, *bounds])


_SIGNS = {"minimum": "≥", "maximum": "≤"}


def _shown(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False)
