"""What can be made to go wrong in a lab, by name: ``table`` says what there is, ``asked`` keeps what is asked for."""
