"""Programs of November 2021 (dclab 0.38, Shape-Out 2): dcserv without a version, features and traces as JSON.

These programs can not be installed beside today's; `Client2021` asks what they asked, in their order, and fails where
they failed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dclab
import numpy as np
import pytest

from tests.support.samples import measurements
from tests.support.server import Appliance, Person


class Client2021:
    """What dclab's `fmt_dcor` of 2021 did with the address of a resource."""

    def __init__(self, appliance: Appliance, person: Person, resource_id: str) -> None:
        self.url = f"{appliance.url}/api/3/action/dcserv?id={resource_id}"
        self.http = person.http
        self.config: dict[str, Any] = self.get("metadata")
        self.size: int = self.get("size")
        self.features: list[str] = self.get("feature_list")
        self.trace_names: list[str] = self.get("trace_list") if "trace" in self.features else []
        self._scalars: dict[str, np.ndarray] = {}

    def get(self, query: str, feature: str | None = None, trace: str | None = None, event: int | None = None) -> Any:
        """One question; the token, if any, in the header as it is. NaN is read as JavaScript writes it."""
        url = f"{self.url}&query={query}"
        url += f"&feature={feature}" if feature is not None else ""
        url += f"&trace={trace}" if trace is not None else ""
        url += f"&event={event}" if event is not None else ""
        answer = json.loads(self.http.get(url, timeout=60).text)
        if not answer["success"]:
            raise ConnectionError(f"Cannot complete query '{url}': {answer['error']['message']}")
        return answer["result"]

    def scalar(self, feature: str) -> np.ndarray:
        """A feature of all events."""
        return np.asarray(self.get("feature", feature=feature), dtype=float)

    def image(self, feature: str, event: int) -> np.ndarray:
        """A picture of one event."""
        return np.asarray(self.get("feature", feature=feature, event=event))


@pytest.fixture(scope="module", params=measurements(), ids=lambda path: path.stem)
def opened(shared: Appliance, request: pytest.FixtureRequest) -> tuple[Client2021, Path]:
    """A measurement that has been uploaded and processed, as the old program opens it."""
    path: Path = request.param
    name = f"user-{path.stem}".lower().replace(".", "-")[:60]
    person = shared.person(name)
    person.circle(f"circle-{name}")
    draft = person.draft(f"circle-{name}", private=True)
    resource = person.add(draft["id"], path)
    person.activate(draft["id"])
    for job in shared.jobs_done(resource["id"]):
        assert job["state"] == "done", job
    return Client2021(shared, person, resource["id"]), path


def test_the_file_opens(opened: tuple[Client2021, Path]) -> None:
    client, path = opened
    with dclab.new_dataset(path) as local:
        assert client.size == len(local)
        assert set(local.features_innate) <= set(client.features)
        assert client.features == sorted(client.features)
        for section in ("experiment", "imaging", "setup", "fluorescence", "online_contour"):
            for key, value in local.config.get(section, {}).items():
                assert client.config[section][key] == value, (section, key)
        assert client.trace_names == (sorted(local["trace"]) if "trace" in local else [])
    assert client.get("valid") is True
    for query in ("logs", "tables"):
        assert isinstance(client.get(query), dict)
    assert client.get("basins") == []


def test_scalar_features(opened: tuple[Client2021, Path]) -> None:
    client, path = opened
    pictures = {"image", "image_bg", "mask", "contour", "trace"}
    with dclab.new_dataset(path) as local:
        for feature in client.features:
            if feature in pictures or feature.startswith("qpi_"):
                continue
            values = client.scalar(feature)
            assert values.shape == (client.size,), feature
            if feature in local.features_innate:
                np.testing.assert_array_equal(values, local[feature][:], err_msg=feature)
        for computed in {"volume", "time", "index"} & set(client.features):
            np.testing.assert_allclose(client.scalar(computed), local[computed][:], rtol=1e-4, err_msg=computed)


def test_pictures_of_single_events(opened: tuple[Client2021, Path]) -> None:
    client, path = opened
    with dclab.new_dataset(path) as local:
        for feature in {"image", "image_bg", "mask"} & set(local.features_innate):
            for event in (0, 3, client.size - 1):
                picture = client.image(feature, event)
                np.testing.assert_array_equal(picture, local[feature][event], err_msg=feature)
                assert (picture.dtype == bool) == (feature == "mask")
        if "contour" in local.features_innate:
            np.testing.assert_array_equal(client.image("contour", 3), local["contour"][3])


def test_traces_in_both_spellings(opened: tuple[Client2021, Path]) -> None:
    client, path = opened
    with dclab.new_dataset(path) as local:
        for name in client.trace_names:
            for query, feature in (("trace", None), ("feature", "trace")):
                values = client.get(query, feature=feature, trace=name, event=1)
                np.testing.assert_array_equal(values, local["trace"][name][1])


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"query": "feature"}, "Please specify 'feature' parameter!"),
        ({"query": "feature", "feature": "peter"}, "Feature 'peter' unavailable!"),
        ({"query": "trace"}, "Please specify 'trace' parameter!"),
        ({"query": "trace", "trace": "fl9_raw", "event": 0}, "Trace 'fl9_raw' unavailable!"),
        ({"query": "peter"}, "Invalid query parameter 'peter'!"),
    ],
)
def test_refusals(opened: tuple[Client2021, Path], parameters: dict[str, Any], words: str) -> None:
    client, _ = opened
    with pytest.raises(ConnectionError) as refused:
        client.get(**parameters)
    assert str(refused.value).endswith(words)


def test_a_picture_needs_an_event_that_exists(opened: tuple[Client2021, Path]) -> None:
    client, _ = opened
    if "image" not in client.features:
        pytest.skip("no pictures in this file")
    with pytest.raises(ConnectionError, match="Please specify 'event' for non-scalar feature image!"):
        client.get("feature", feature="image")
    for event in (client.size, 10**9):
        with pytest.raises(ConnectionError, match="There is no event"):
            client.get("feature", feature="image", event=event)
    assert "success" in client.http.get(f"{client.url}&query=feature&feature=image&event=-1").json()


def test_the_search_dialog_of_2021(opened: tuple[Client2021, Path], shared: Appliance) -> None:
    """Shape-Out looked for datasets, then asked of every measurement whether it is there."""
    client, _ = opened
    answer = client.http.get(
        f"{shared.url}/api/3/action/package_search?q=measurement+of+blood&rows=20&include_private=True"
    ).json()
    assert answer["success"]
    for package in answer["result"]["results"]:
        assert package["title"]
        assert package["organization"]["name"]
        for resource in package["resources"]:
            if resource["mimetype"] in {"RT-DC", "DC"}:
                url = f"{shared.url}/api/3/action/dcserv?id={resource['id']}&query=valid"
                assert client.http.get(url).json()["result"] is True


def test_site_read_and_the_header_of_2021(shared: Appliance) -> None:
    """DCOR-Aid of 2021 asked whether the site may be read, with its key in the older header alone."""
    person = shared.person("of-2021")
    url = f"{shared.url}/api/3/action"
    options = {"headers": {"X-CKAN-API-Key": person.token}, "verify": str(shared.certificate)}
    import requests

    assert requests.get(f"{url}/site_read", **options).json()["result"] is True  # type: ignore[arg-type]
    assert requests.get(f"{url}/user_show?id=of-2021", **options).json()["result"]["name"] == "of-2021"  # type: ignore[arg-type]
