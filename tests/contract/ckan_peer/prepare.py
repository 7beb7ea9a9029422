"""Run in CKAN's environment: make the tables, the administrator `boss` and a token, which is printed (`prepare.py CKAN.INI`)."""

import sys

from ckan import model
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app
from ckan.plugins import toolkit

application = make_app(CKANConfigLoader(sys.argv[1]).get_config())
model.repo.upgrade_db()
with application._wsgi_app.test_request_context("/"):
    context = {"ignore_auth": True, "user": ""}
    toolkit.get_action("user_create")(
        dict(context), {"name": "boss", "email": "boss@example.org", "password": "correct horse battery"}
    )
    model.User.get("boss").sysadmin = True
    model.repo.commit()
    print("\n" + toolkit.get_action("api_token_create")(dict(context), {"user": "boss", "name": "tests"})["token"])
