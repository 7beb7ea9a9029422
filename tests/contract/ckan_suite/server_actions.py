from pathlib import Path
import json, os
def names():
    return set(json.loads(os.environ["DCOR_SUITE_ACTIONS"]))
