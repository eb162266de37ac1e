"""The three base libraries (三大基础数据库): population, natural resources and space, macro-economy.

Population and space are the registers themselves, told as libraries; `macro` keeps the figures of
the economy by indicator, area and period, every revision of them.
"""
