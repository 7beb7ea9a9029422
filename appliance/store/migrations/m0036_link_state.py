"""Links to set a password end with any change of the account that they are for."""

from __future__ import annotations

import sqlite3

#: Rights in circles, collections and datasets are often given before somebody has signed in first, so these keep that first link.
_ROLES = {
    "member_insert": ("AFTER INSERT ON member", "NEW", "1"),
    "member_update": ("AFTER UPDATE OF role ON member", "NEW", "OLD.role IS NOT NEW.role"),
    "member_delete": ("AFTER DELETE ON member", "OLD", "1"),
    "collaborator_insert": ("AFTER INSERT ON collaborator", "NEW", "1"),
    "collaborator_update": ("AFTER UPDATE OF capacity ON collaborator", "NEW", "OLD.capacity IS NOT NEW.capacity"),
    "collaborator_delete": ("AFTER DELETE ON collaborator", "OLD", "1"),
}


def upgrade(conn: sqlite3.Connection) -> None:
    """Triggers, so that no way of changing an account can leave a link behind."""
    conn.execute("CREATE INDEX one_time_link_user ON one_time_link(user_id)")
    conn.execute(
        """CREATE TRIGGER link_ends_user AFTER UPDATE OF email, sysadmin, state, password ON user
           WHEN OLD.email IS NOT NEW.email OR OLD.sysadmin IS NOT NEW.sysadmin OR OLD.state IS NOT NEW.state
             OR OLD.password IS NOT NEW.password
           BEGIN DELETE FROM one_time_link WHERE user_id = NEW.id; END"""
    )
    for name, (event, row, condition) in _ROLES.items():
        conn.execute(
            f"""CREATE TRIGGER link_ends_{name} {event} WHEN {condition} BEGIN
                  DELETE FROM one_time_link WHERE user_id = {row}.user_id AND purpose = 'password'
                    AND EXISTS (SELECT 1 FROM user u WHERE u.id = {row}.user_id AND u.password IS NOT NULL);
                END"""
        )
