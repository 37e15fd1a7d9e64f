"""Reader of the packed container ``.cunet`` (``docs/packed-format.md``): numpy and the standard library only."""
