"""Account details compared with those of accounts that were blocked before.

What a detail is worth stands in `details`, how it is made comparable in
`normalise`, who is compared with whom in `pairs`, the arithmetic in `weigh`, and
what comes of it in `overlap`. Behaviour is not looked at here.
"""
