"""Account details compared with those of accounts that were blocked before.

Which details, in which degrees, stands in `details`, how they are made comparable in
`normalise`, who is compared with whom in `pairs`, what an agreement is worth in
`learning` and `parameters`, the arithmetic in `weigh`, and what comes of it in
`overlap`. Behaviour is not looked at here.
"""
