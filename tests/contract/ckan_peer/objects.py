"""Run in CKAN's environment: copy an object storage into a folder per bucket (`objects.py ENDPOINT FOLDER`)."""

import pathlib
import sys

import boto3

store = boto3.client("s3", endpoint_url=sys.argv[1], aws_access_key_id="tests", aws_secret_access_key="tests")
for bucket in store.list_buckets()["Buckets"]:
    for page in store.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
        for found in page.get("Contents", []):
            path = pathlib.Path(sys.argv[2], bucket["Name"], found["Key"])
            path.parent.mkdir(parents=True, exist_ok=True)
            store.download_file(bucket["Name"], found["Key"], str(path))
