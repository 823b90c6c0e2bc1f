"""Crawling: a city's portal, its data sets, and the process that does it in the background."""

from crimecast.crawling.city import crawl_city, crawl_folder

__all__ = ["crawl_city", "crawl_folder"]
