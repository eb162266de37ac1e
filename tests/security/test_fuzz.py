"""Parameters of every kind that nobody would send: an answer below 500, always (S44, S45, S57)."""

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.form_fields import FORMS, takes

NASTY = (
    "'", '"', "';--", "' OR '1'='1", "1;DROP TABLE incident", "\x00", "%00", "a\x00b", "\ud83d\ude00",
    "٣", "１２", "-1", "0", "9" * 40, "1e400", "NaN", "Infinity", "-0", "0x10", "1_0", "null", "[]",
    "{}", "../../etc/passwd", "..\\", "${7*7}", "{{7*7}}", "%s%s%n", "\r\nX: y", "\u202e", "\ufeff",
    "a" * 9000, ",,,,", "id desc", "geom", "password_hash", "id;select pg_sleep(9)", "(SELECT 1)",
    "pg_sleep(5)", "\\", "%", "_", "*", "category=1 AND 1=1", "NOT (" * 300, "((((((", "\udcff",
    "2026-02-30", "0000-00-00", "9999-12-31T23:59:60Z", "2026-01-01T00:00:00+99:99", "-9999-01-01",
)  # fmt: skip
values = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=60),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
    st.lists(st.floats(width=32).map(str), min_size=1, max_size=6).map(",".join),
)
NAMES = (
    "q", "bbox", "limit", "after", "sort", "fields", "filter", "area", "class", "category", "status",
    "lon", "lat", "code", "from", "to", "since", "until", "at", "by", "layer", "format", "page",
    "days", "radius_m", "risk", "department", "mine", "state", "order", "crs", "next", "new", "size",
    "v", "encoding", "geometry", "columns", "reason",
)  # fmt: skip
queries = st.dictionaries(st.sampled_from(NAMES), values, min_size=1, max_size=5)
PATHS = (
    "/api/search", "/api/incidents", "/api/incidents/nearby", "/api/incidents/daily", "/api/areas",
    "/api/grids/at", "/api/grids/choropleth", "/api/summary", "/api/layers", "/api/categories",
    "/api/layers/component/items", "/api/layers/building/items", "/tiles/component/14/13653/6777.mvt",
    "/api/export/component/preview", "/api/export/component.csv", "/api/export/component.geojson",
    "/api/public/place", "/track", "/desk", "/planner", "/planner/export", "/command", "/sign-in",
    "/api/desk/queue", "/api/desk/facets", "/api/desk/search",
)  # fmt: skip
SEGMENTS = (
    "/api/areas/{}", "/api/grids/{}", "/api/layers/{}/items", "/tiles/{}/1/0/0.mvt", "/track/{}",
    "/api/public/reports/{}", "/api/incidents/{}", "/blobs/{}", "/api/export/{}.csv", "/lang/{}",
    "/elder/{}", "/tiles/component/{}/0/0.mvt", "/track/x/photos/{}", "/assets/{}", "/desk/cases/{}",
)  # fmt: skip
RELAXED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def encoded(query: dict[str, str]) -> str:
    return "&".join(
        f"{name}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in query.items()
    )


@pytest.fixture
def callers(map_app, sign_in):
    """Somebody of each kind who sees much."""
    return [sign_in("commander"), sign_in("planner"), map_app.test_client()]


@RELAXED
@given(path=st.sampled_from(PATHS), query=queries)
def test_no_parameter_breaks_an_endpoint(callers, path: str, query: dict[str, str]) -> None:
    for caller in callers:
        answer = caller.get(f"{path}?{encoded(query)}")

        assert answer.status_code < 500, (path, query, answer.text[:300])


@RELAXED
@given(path=st.sampled_from(SEGMENTS), value=values)
def test_no_name_in_a_path_breaks_an_endpoint(callers, path: str, value: str) -> None:
    part = quote(value.encode("utf-8", "surrogatepass"), safe="/")

    for caller in callers:
        answer = caller.get(path.format(part))

        assert answer.status_code < 500, (path, value, answer.text[:300])


def known(caller, path: str, method: str, body: object) -> object:
    """Leave a form the fields that it has: with another it is refused before its view."""
    endpoint, _ = caller.application.url_map.bind("localhost").match(path, method=method)
    if isinstance(body, dict) and endpoint in FORMS:
        return {name: value for name, value in body.items() if takes(endpoint, name)}
    return body


@RELAXED
@given(
    body=st.recursive(
        st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=20)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(st.sampled_from(("id", "category", "lon", "lat", "photos", "text", "action",
                                             "login", "area", "name", "phone")), inner, max_size=6),
        ),
        max_leaves=12,
    ),
    path=st.sampled_from(("/", "/api/public/reports/{}", "/api/incidents/{}", "/api/incidents/{}/moves",
                          "/sign-in", "/worker/report", "/worker/duty", "/desk/cases/{}/moves")),
)  # fmt: skip
def test_no_body_breaks_an_endpoint(callers, path: str, body: object) -> None:
    path = path.format("00000000-0000-4000-8000-000000000000")
    method = "PUT" if path.startswith("/api/public/rep") or path.count("/") == 3 else "POST"

    for caller in callers:
        answer = caller.open(path, method=method, json=known(caller, path, method, body))

        assert answer.status_code < 500, (path, body, answer.text[:300])


def test_nothing_nasty_breaks_an_endpoint(callers) -> None:
    names = ("q", "bbox", "sort", "after", "area", "limit", "category", "code", "filter", "fields")
    broken = []

    for path in PATHS:
        for value in NASTY:
            answer = callers[0].get(f"{path}?{encoded(dict.fromkeys(names, value))}")
            if answer.status_code >= 500:
                broken.append((path, value, answer.status_code))

    assert broken == []
