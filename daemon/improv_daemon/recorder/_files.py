"""Moved to `improv_daemon.whole_files`."""

from improv_daemon.whole_files import check_folder, whole_file

__all__ = ["check_folder", "whole_file"]
