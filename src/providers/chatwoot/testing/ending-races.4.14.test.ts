import { describeEndingRaces } from './cases/ending-races';

describeEndingRaces('4.14');
