"""Runs in the environment of an old dclab (Python >= 3.8): reads one remote measurement and compares it with the local file.

Argument: a JSON object with host, url, token, resource, local, condensed, certificate. Prints a JSON object: step -> "" or what went wrong.
"""

import inspect
import json
import sys
import traceback
import warnings

warnings.simplefilter("ignore")

import dclab  # noqa: E402
import numpy as np  # noqa: E402
from dclab.rtdc_dataset import fmt_dcor  # noqa: E402

given = json.loads(sys.argv[1])
found = {}


def step(name):
    """Run the decorated function; keep what went wrong."""

    def run(function):
        try:
            function()
            found[name] = ""
        except Exception as error:
            if "--trace" in sys.argv:
                traceback.print_exc()
            found[name] = "%s: %s" % (type(error).__name__, str(error)[:300])  # noqa: UP031
        return function

    return run


def remote():
    """The measurement, opened as its documentation says."""
    options = {"host": given["host"], "api_key": given["token"]}
    if "cert_path" in inspect.signature(fmt_dcor.RTDC_DCOR.__init__).parameters:
        options["cert_path"] = given["certificate"]
    return fmt_dcor.RTDC_DCOR(given["resource"], **options)


def equal(left, right, what):
    """Raises ValueError unless both are the same."""
    if not np.array_equal(np.asarray(left), np.asarray(right), equal_nan=True):
        raise ValueError(what + " differs")


kept = {}


@step("open")
def _open():
    kept["remote"] = remote()
    kept["local"] = dclab.new_dataset(given["local"])
    assert len(kept["remote"]) == len(kept["local"])
    for section in ("experiment", "imaging", "setup"):
        for key, value in kept["local"].config[section].items():
            assert kept["remote"].config[section][key] == value, (section, key)


@step("features")
def _features():
    for feature in kept["local"].features_innate:
        if dclab.dfn.scalar_feature_exists(feature):
            equal(kept["remote"][feature][:], kept["local"][feature][:], feature)
    assert len(kept["remote"]["volume"]) == len(kept["local"])


@step("image")
def _image():
    for feature in ("image", "mask"):
        for event in (2, 5):
            equal(kept["remote"][feature][event], kept["local"][feature][event], feature)


@step("trace")
def _trace():
    if "trace" in kept["local"]:
        for name in kept["local"]["trace"]:
            equal(kept["remote"]["trace"][name][1], kept["local"]["trace"][name][1], name)


@step("contour")
def _contour():
    assert len(kept["remote"]["contour"][2]) > 3


@step("condensed")
def _condensed():
    with dclab.new_dataset(given["condensed"]) as ds:
        assert len(ds) == len(kept["local"])
        for feature in ("deform", "area_um"):
            if feature in kept["local"].features_innate:
                equal(ds[feature][:], kept["local"][feature][:], feature)
        assert len(ds["volume"]) == len(ds)


print(json.dumps({"version": dclab.__version__, "python": sys.version.split()[0], "steps": found}))
