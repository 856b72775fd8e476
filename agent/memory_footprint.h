#pragma once

namespace fleetmark::agent {

// Gives back what only the start needed: free heap, and the pages of program and library code, which come back from the
// page cache where they are used again. An agent is to leave the machine to its workers.
void ReleaseStartupMemory();

}  // namespace fleetmark::agent
