"""web/gateway"""
