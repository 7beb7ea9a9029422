"""jobs/rtdc"""
