"""The data desk: what stewards see and do. One module per subject, the frame in `frame`."""
