"""Runs in an environment with DCOR-Aid's window, on a display: one part of its story in one process.

Arguments: the part (wizard, upload, resume, share, download, renew) and a JSON object with access, passphrase, task, folder, resource,
share (kind → name), colleague.
Prints a JSON object when the part is done; `upload` says so and waits to be killed.
"""

import json
import pathlib
import sys
import time
from importlib import import_module

QtCore, QtWidgets = import_module("PyQt6.QtCore"), import_module("PyQt6.QtWidgets")

part, given = sys.argv[1], json.loads(sys.argv[2])
app = QtWidgets.QApplication(sys.argv[:1])
Button = QtWidgets.QMessageBox.StandardButton
said = []


def answer(kind, button):
    """Take the place of somebody who reads a message and clicks."""

    def clicked(parent, title, text, *more):
        said.append([kind, title, text[:200]])
        return button

    return staticmethod(clicked)


QtWidgets.QMessageBox.information = answer("information", Button.Ok)
QtWidgets.QMessageBox.question = answer("question", Button.Yes)
QtWidgets.QMessageBox.critical = answer("critical", Button.Ok)
QtWidgets.QMessageBox.warning = answer("warning", Button.Ok)


def until(condition, seconds=120):
    """Let the window work until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("waited for %s; messages: %s" % (condition.__name__, said))  # noqa: UP031
        app.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 200)
        time.sleep(0.05)


def settings():
    """Where DCOR-Aid keeps what it was told."""
    QtCore.QCoreApplication.setOrganizationName("DCOR")
    QtCore.QCoreApplication.setOrganizationDomain("dc-cosmos.org")
    QtCore.QCoreApplication.setApplicationName("dcoraid")
    QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
    return QtCore.QSettings()


def finish(**found):
    """Say what came of it and end at once, without asking about running jobs."""
    sys.stdout.write(json.dumps(found | {"messages": said}) + "\n")
    sys.stdout.flush()
    import os

    os._exit(0)


def window():
    """The main window as it starts."""
    settings().setValue("check for updates", "0")
    settings().setValue("skip database update on startup", "1")
    from dcoraid.gui.main import DCORAid

    return DCORAid()


if part == "wizard":
    kept = settings()
    from dcoraid.gui.wizard_init import InitWizard

    wizard = InitWizard()
    wizard.show()
    wizard.radioButton_med.setChecked(True)
    wizard.next()
    wizard.lineEdit_access_token_path.setText(given["access"])
    wizard.lineEdit_access_token_password.setText(given["passphrase"])
    sys.exit = lambda code=0: None  # it ends with this, from within Qt
    wizard.button(QtWidgets.QWizard.WizardButton.FinishButton).click()
    finish(server=kept.value("auth/server"), scenario=kept.value("user scenario"))

main = window()
main.panel_upload.initialize()
if part in ("upload", "resume"):
    if part == "upload":
        main.panel_upload.on_upload_task(pathlib.Path(given["task"]))
    until(lambda: len(main.panel_upload.jobs) == 1)
    job = main.panel_upload.jobs[0]
    if part == "upload":
        until(lambda: job.state in ("transfer", "online", "verify", "done"))
        sys.stdout.write(json.dumps({"state": job.state}) + "\n")
        sys.stdout.flush()
        until(lambda: False, 600)
    until(lambda: job.state in ("done", "error"))
    finish(state=job.state, dataset=job.dataset_id, trace=job.traceback)
if part == "share":
    ShareDialog = import_module("dcoraid.gui.panel_my_data.dlg_share").ShareDialog
    shared = {}
    for which, identifier in given["share"].items():
        dialog = ShareDialog(main, which, identifier)
        dialog.show()
        dialog.comboBox_users.setEditText(given["colleague"])
        until(lambda: dialog.comboBox_users.count() == 1)  # noqa: B023
        dialog.comboBox_users.setCurrentIndex(0)
        dialog.toolButton_share.click()
        dialog.close()
        table = ShareDialog(main, which, identifier).tableWidget_users
        shared[which] = [table.item(row, 0).text() for row in range(table.rowCount())]
    finish(shared=shared)
if part == "renew":
    before = settings().value("auth/api key")
    main.dlg_pref.show()
    main.dlg_pref.on_server_api_token_renew()
    settings().sync()
    finish(renewed=settings().value("auth/api key") != before, token=settings().value("auth/api key"))
if part == "download":
    settings().setValue("downloads/default path", given["folder"])
    main.panel_download.initialize()
    main.panel_download.download_resource(given["resource"])
    until(lambda: len(main.panel_download.jobs) == 1)
    job = main.panel_download.jobs[0]
    until(lambda: job.state in ("done", "error"))
    finish(state=job.state, path=str(job.path), trace=job.traceback)
