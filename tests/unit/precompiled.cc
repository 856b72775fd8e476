// Holds the headers that the tests of the protocol share; see CMakeLists.txt.
