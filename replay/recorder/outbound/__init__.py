"""Outbound calls of the host: seen at the places where its libraries send them.

One module a library, each loaded once the host has that library. Imports the standard library and
orjson; a library is only ever taken as the module that the host has imported. What becomes of a
call - whether it is recorded, or answered from a recording - is the outlet's affair.
"""
