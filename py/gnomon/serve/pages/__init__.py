"""Dashboards as static pages: each file stands alone, asks no network, and says where its figures come from."""

from gnomon.serve.pages.writing import write_pages

__all__ = ["write_pages"]
