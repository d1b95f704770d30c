/** From paths to findings and models: reads specs, gives the compiler what they import, and keeps what it says. */
