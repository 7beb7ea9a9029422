"""Runs in an environment with DCscope, on a display: set up by the access file, search, open, plot, look at an image.

Argument: a JSON object with access, passphrase, search, and optionally screenshot (a file to write). Prints a JSON object with what was seen.
"""

import json
import os
import sys
import time
from importlib import import_module

import numpy as np

QtCore, QtTest, QtWidgets = (import_module(f"PyQt6.{name}") for name in ("QtCore", "QtTest", "QtWidgets"))

given = json.loads(sys.argv[1])
app = QtWidgets.QApplication(sys.argv[:1])
found = {}

QtWidgets.QFileDialog.getOpenFileName = staticmethod(lambda *a, **k: (given["access"], ""))
QtWidgets.QInputDialog.getText = staticmethod(lambda *a, **k: (given["passphrase"], True))

dcor, preferences = import_module("dcscope.gui.dcor"), import_module("dcscope.gui.preferences")
DCscope = import_module("dcscope.gui.main").DCscope


def failed(kind, value, trace):
    """An error that Qt would only print ends the run."""
    sys.__excepthook__(kind, value, trace)
    sys.stderr.flush()
    os._exit(3)


def until(condition, what, seconds=120):
    """Let the window work until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        app.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 200)
        time.sleep(0.05)


QtCore.QCoreApplication.setOrganizationName("DC-analysis")
QtCore.QCoreApplication.setOrganizationDomain("dc-cosmos.org")
QtCore.QCoreApplication.setApplicationName("dcscope")
QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
QtCore.QSettings().setValue("check for updates", "0")
window = DCscope()
sys.excepthook = failed

preferences.Preferences(window).on_dcor_enc_token()
found["server"] = QtCore.QSettings().value("dcor/servers")[0]

search = dcor.DCORLoader(window)
search.show()
search.ui.lineEdit_search.setText(given["search"])
search.on_search()
until(lambda: search.search_results, "results of the search")
found["hits"] = search.ui.listWidget.count()
search.ui.listWidget.item(0).setSelected(True)
search.on_open()
search.close()
until(lambda: window.pipeline.num_slots == 1, "the opened measurement")

slot = window.pipeline.slot_ids[0]
dataset = window.pipeline.get_dataset(0)
found["events"] = len(dataset)
plot = window.add_plot()
cell = window.ui.block_matrix.get_widget(slot, plot)
if not cell.active:
    QtTest.QTest.mouseClick(cell, QtCore.Qt.MouseButton.LeftButton)
found["drawn"] = bool(window.pipeline.is_element_active(slot, plot))
window.wait_for_tasks()
deform = window.pipeline.get_dataset(0)["deform"][:]
found["deform"] = [float(np.mean(deform)), len(deform)]
found["windows"] = len(window.subwindows_plots)

window.resize(1500, 950)
view = window.widget_quick_view
window.ui.toolButton_quick_view.setChecked(True)
view.show_rtdc(dataset, window.pipeline.slots[0])
view.ui.toolButton_event.setChecked(True)
view.on_tool()
view.ui.tabWidget_event.setCurrentIndex(0)


def shown():
    """The image on display with the number of its event, (None, None) before there is one."""
    data = view._last_event_data or {}
    image = data.get("image")
    image = image[0] if isinstance(image, (tuple, list)) else image
    return (data.get("index"), None if image is None else np.asarray(image))


for event in (3, 5, 8):  # an event whose image did not come is not asked for again until another one is chosen
    view.ui.spinBox_event.setValue(event + 1)
    try:
        until(lambda event=event: shown()[0] == event and shown()[1] is not None, "the image", 30)
    except TimeoutError:
        continue
    break
found["event"], image = shown()
if image is None:
    raise TimeoutError("no image of three events")
found["image"] = [*image.shape[:2], float(image.mean())]
canvas = view.img_views["image"]["view_event"]
until(lambda: canvas.isVisible() and canvas.image is not None, "the drawn image")
found["painted"] = [*np.asarray(canvas.image).shape[:2], len(np.unique(canvas.image))]
window.wait_for_tasks()
if given.get("screenshot"):
    window.grab().save(given["screenshot"])
sys.stdout.write(json.dumps(found) + "\n")
sys.stdout.flush()
os._exit(0)
