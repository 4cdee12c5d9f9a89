import { pinShapes } from '../../../test/helpers/shapes.ts'
import * as catalog from './index.ts'

pinShapes('catalog', catalog)
