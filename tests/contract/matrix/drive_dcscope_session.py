"""Runs in an environment with DCscope, on a display: opens a session in its window and says what is in it.

Standard input: a JSON object with session, certificates (a folder with the server's certificate) and token. Prints a JSON object.
"""

import json
import os
import sys
import time
from importlib import import_module

QtCore, QtWidgets = (import_module(f"PyQt6.{name}") for name in ("QtCore", "QtWidgets"))

given = json.load(sys.stdin)
app = QtWidgets.QApplication(sys.argv[:1])


def failed(kind, value, trace):
    """An error that Qt would only print ends the run."""
    sys.__excepthook__(kind, value, trace)
    sys.stderr.flush()
    os._exit(3)


main = import_module("dcscope.gui.main")
sys.excepthook = failed  # DCscope's own asks in a dialog, where nobody answers
window = main.DCscope()
fmt_dcor = import_module("dclab.rtdc_dataset.fmt_dcor")
fmt_dcor.DCOR_CERTS_SEARCH_PATHS.append(given["certificates"])
fmt_dcor.api.APIHandler.add_api_key(given["token"])
window.on_action_open(given["session"])
end = time.monotonic() + 120
while not window.pipeline.slots and time.monotonic() < end:
    app.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 200)
pipeline = window.pipeline
found = {"slots": [one.name for one in pipeline.slots], "filters": [one.name for one in pipeline.filters], "events": {}}
for slot in pipeline.slots:
    for one in pipeline.filters:
        for other in pipeline.filters:
            pipeline.set_element_active(slot.identifier, other.identifier, other is one)
        dataset = pipeline.get_dataset(pipeline.slot_ids.index(slot.identifier))
        found["events"][one.name] = int(dataset.filter.all.sum())
found["plots"] = [
    [one.__getstate__()["general"]["axis x"], one.__getstate__()["general"]["axis y"]] for one in pipeline.plots
]
print(json.dumps(found), flush=True)
os._exit(0)
