"""AAA by RADIUS in the simulated network: real clients on sockets of that network, and servers that fail in every way.

``settings`` says what there is, ``house`` has the servers, ``at_mag`` and ``at_lma`` wire a process to them, ``client``
looks whether its client keeps its promises, ``forger`` answers in the servers' name, ``profiles`` draws such worlds.

In some of them nodes have supplicants, which are examined by EAP (``eap``), and ``admissions`` looks at who is served;
in others ``books`` has what is told of accounting, from a ``spool``, and AAA acts upon sessions (``authorization``); in
others again there are ``access_points``, to which a MAG is a ``proxy``.
"""
