"""Folders, archives and recorded sittings to encoded arrays."""
