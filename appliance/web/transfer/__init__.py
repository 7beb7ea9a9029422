"""web/transfer"""
