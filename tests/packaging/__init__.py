"""What holds for the whole checkout: style, types, pages, the wheel."""
