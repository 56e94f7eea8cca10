"""Sweeps of a chapter over its parameters, on processes of this machine or a Dask cluster."""
