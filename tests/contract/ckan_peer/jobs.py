"""Run in CKAN's environment: do all jobs that are waiting, in this one process (`jobs.py CKAN.INI "jobs worker"`)."""

import sys

from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app
from ckan.lib import jobs
from rq import SimpleWorker

application = make_app(CKANConfigLoader(sys.argv[1]).get_config())
with application._wsgi_app.test_request_context("/"):
    SimpleWorker(jobs.get_all_queues(), connection=jobs.connect_to_redis()).work(burst=True, logging_level="WARNING")
